"""Questions put to profiles and graphs: growth, suspects, fingerprints. Pure functions of values."""
