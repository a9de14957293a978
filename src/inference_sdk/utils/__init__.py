"""Small things that know nothing of images, servers or streams."""
