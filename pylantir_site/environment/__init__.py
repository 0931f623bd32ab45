"""What a site may set is read here, before Django starts.

env          settings from the environment, each by name
config_file  the original's configuration file
databases    which databases there are
originals    files of the original's, which are not ours
secret_key   keys made once and kept
program      how commands are started, how people type them, where data are by default
logs         what must not reach a log
"""
