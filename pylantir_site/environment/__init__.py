"""What a site may set is read here, before Django starts.

env          settings from the environment, each by name
config_file  the original's configuration file
databases    which databases there are
originals    files of the original's, which are not ours
secret_key   keys made once and kept
program      how commands are started, how people type them, where data are by default
oidc         where people may sign in by OpenID Connect
log_lines    how each record is written
atna         where audit messages go by syslog
logs         what must not reach a log
"""
