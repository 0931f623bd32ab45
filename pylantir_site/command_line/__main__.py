from __future__ import annotations

from pylantir_site.command_line.main import main

if __name__ == "__main__":
    main()
