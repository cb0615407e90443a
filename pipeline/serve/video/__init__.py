"""What is in a video, and what the models say of it when some of it is changed."""
