"""What `make demo` shows and says, tested without its cluster; the rest on a real one."""
