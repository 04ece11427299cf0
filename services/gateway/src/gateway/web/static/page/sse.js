// Cuts text/event-stream into events while it arrives in pieces (html.spec.whatwg.org, section 9.2).

export class EventParser {
  #rest = "";

  /** Takes the next piece; gives the [name, data, id] of every event that it completes. */
  push(piece) {
    const blocks = (this.#rest + piece).split("\n\n");
    this.#rest = blocks.pop();
    return blocks.map(parse).filter(([, data]) => data !== undefined);
  }
}

function parse(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] = value; // a line that begins with a colon only keeps the connection alive
  }
  return [fields.event ?? "message", fields.data && JSON.parse(fields.data), fields.id];
}
