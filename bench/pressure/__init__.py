"""What the steps under pressure are worth: a detector that holds memory which no prediction knew of."""
