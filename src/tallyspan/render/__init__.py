"""Reports as text: what a reader sees, and nothing that was not decided before."""
