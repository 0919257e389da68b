"""The page over HTTP: reports of dumps, the fleet, incidents. It asks the layers below and judges nothing itself."""
