// What every page loads. All pages work without it; this shortens the way and keeps what was typed.
import "htmx.org";
import "../../staffroom/ui/styles/app.css";
import { watchAsked } from "./asked";
import { watchCopying } from "./copying";
import { watchDialogs } from "./dialogs";
import { watchDrafts } from "./drafts";
import { watchFailures } from "./failures";
import { watchFocus } from "./focus";
import { watchMenus } from "./menus";
import { watchTables } from "./tables";
import { watchTheme } from "./theme";
import { watchUnsaved } from "./unsaved";

watchTheme();
watchMenus();
watchAsked();
watchCopying();
watchDialogs();
watchDrafts();
watchUnsaved();
watchFailures();
watchFocus();
watchTables();
