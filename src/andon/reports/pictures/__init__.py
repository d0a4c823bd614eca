"""What is drawn on and around photos: arrays in, arrays out."""
