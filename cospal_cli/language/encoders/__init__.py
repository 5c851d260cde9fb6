"""Words and sentences as vectors: MiniLM, BERT, and what every text encoder shares."""
