"""A classifier of millions of identities, its rows spread over processes."""
