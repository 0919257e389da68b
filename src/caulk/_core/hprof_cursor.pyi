COMPILED: bool

class Cursor:
    def __init__(self, data: bytes, id_size: int) -> None: ...
