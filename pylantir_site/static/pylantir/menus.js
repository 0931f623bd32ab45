// A menu closes by Escape, by a click elsewhere, and when another opens.
"use strict";
{
    const open = () => document.querySelectorAll("details.menu[open]");
    document.addEventListener("click", (event) => {
        for (const menu of open()) {
            if (!menu.contains(event.target)) {
                menu.open = false;
            }
        }
    });
    document.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") {
            return;
        }
        for (const menu of open()) {
            const hadFocus = menu.contains(document.activeElement);
            menu.open = false;
            if (hadFocus) {
                menu.querySelector("summary").focus();
            }
        }
    });
}
