// Server-sent events read from `fetch`, so that a key can be sent along. The reader keeps one unfinished message, bounded.

/** A message of the stream. */
export interface Message {
  event: string;
  data: string;
  id: string;
}

const MESSAGE_CHARS_MAX = 4_000_000;

/** Cuts a stream of text into messages. */
export class MessageCutter {
  #rest = "";

  /** Takes a piece of the stream and gives the messages that it completes. */
  push(piece: string): Message[] {
    this.#rest += piece.replaceAll("\r\n", "\n");
    const parts = this.#rest.split("\n\n");
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > MESSAGE_CHARS_MAX) this.#rest = "";
    return parts.flatMap((part) => {
      const message: Message = { event: "message", data: "", id: "" };
      const data: string[] = [];
      for (const line of part.split("\n")) {
        const found = /^(event|data|id): ?([\s\S]*)$/.exec(line);
        if (found?.[1] === "data") data.push(found[2] ?? "");
        else if (found?.[1] === "event") message.event = found[2] ?? "";
        else if (found?.[1] === "id") message.id = found[2] ?? "";
      }
      message.data = data.join("\n");
      return data.length > 0 || message.event !== "message" ? [message] : [];
    });
  }
}
