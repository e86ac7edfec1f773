// Never loaded by a page. It makes the build copy lucide's list of shapes beside the islands, where `{% icon %}` reads it.
import shapes from "lucide-static/icon-nodes.json?url";

export default shapes;
