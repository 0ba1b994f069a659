from .row_engine import RowEngine as ArrayMacro
