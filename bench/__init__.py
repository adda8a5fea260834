"""How fast the engine is, compared in one run with a plain implementation and with the hardware."""
