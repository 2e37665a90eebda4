"""mien sees who is there: it finds, follows and recognizes people in pictures and video."""

__version__ = "0.1.0"
