"""From text to what the model reads, with the files of the bundle and nothing else."""
