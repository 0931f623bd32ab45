"use strict";

// Its search is a worker made of text, which the policy of the page does not let run.
const place = document.getElementById("redoc");
Redoc.init(place.dataset.schema, { disableSearch: true }, place);
