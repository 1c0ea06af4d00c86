"""The desktop application of trackleed. It has not landed yet."""
