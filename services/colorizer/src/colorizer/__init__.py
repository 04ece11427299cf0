"""Names the color of holds: eroded masks, fixed batches through a CLIP image tower, cosine with stored prompts."""
