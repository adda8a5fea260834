"""Tables, figures and claims, computed from grades, times and values. Needs no torch."""
