"""Model folders that mien's catalogue lists as the starter pack; there is no code here."""
