"""What the wire says of usage: bytes in, values out."""
