"""What recording costs the application: `make bench`. Method and last figures are in README.md."""
