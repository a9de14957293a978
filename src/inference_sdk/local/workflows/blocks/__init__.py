"""The blocks this server has: one small file for each family; every module here is loaded when
the engine is first used.
"""
