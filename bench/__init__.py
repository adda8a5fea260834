"""How fast the engine is, as ratios to a plain implementation and to the hardware, measured in one run."""
