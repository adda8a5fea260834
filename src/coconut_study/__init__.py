"""The Coconut study: language models that reason in a continuous latent space (arXiv 2412.06769)."""
