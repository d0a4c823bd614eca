"""The way of one photo from file to verdict. Needs numpy and OpenCV, no torch."""
