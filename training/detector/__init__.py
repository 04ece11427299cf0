"""Trains, measures and exports the hold detector: `python -m training.detector.{prepare,train,evaluate,export,record}`."""
