"""What is learned: each task turns a batch and a network into losses, and measures what was learned."""
