// What every page loads: htmx, so that links and forms can take the short way back.
import "htmx.org";
