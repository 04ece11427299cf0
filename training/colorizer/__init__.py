"""How the shipped color CLIP was made: crops, captions, training, scores, export."""
