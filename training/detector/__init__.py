"""Makes the hold detector: `python -m training.detector.{prepare,train,evaluate,export,record}`."""
