"""Is this image one of those? Fingerprints find exact copies, likenesses near-duplicates."""
