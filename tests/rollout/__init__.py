"""Ring 5: real pods of the real images, real requests, and every promise held against the recording."""
