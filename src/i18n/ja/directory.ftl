# The directory: institutions, contact windows, care groups; the public list.
