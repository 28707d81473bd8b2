import { element } from "../dom";
import { type Attachment, ask } from "../protocol";
import type { Page } from "./page";

const MEGABYTE = 1024 * 1024;
const DEFAULT_SIZE = 100 * MEGABYTE;
const DEFAULT_COUNT = 10;

interface Chip {
  readonly node: HTMLElement;
  attachment: Attachment | null;
}

/** The files of the message that is being written. Their bytes go from the frame itself to where the server says. */
export class Uploads {
  readonly #tray: HTMLElement;
  readonly #page: Page;
  readonly #changed: () => void;
  #chips: readonly Chip[] = [];

  constructor(tray: HTMLElement, page: Page, changed: () => void) {
    this.#tray = tray;
    this.#page = page;
    this.#changed = changed;
  }

  /** The ids of what has arrived. */
  get ready(): readonly string[] {
    return this.#chips.flatMap(({ attachment }) => (attachment ? [attachment.id] : []));
  }

  async add(files: readonly File[]): Promise<void> {
    const most = this.#page.told.options.composer?.attachments?.maxCount ?? DEFAULT_COUNT;
    await Promise.all(
      files.map((file) => {
        const chip = this.#draw(file.name);
        if (this.#chips.length > most) return this.#fail(chip, `No more than ${most} files.`);
        return this.#upload(file, chip);
      }),
    );
  }

  /** Takes away what was sent, and leaves what was added meanwhile. */
  clear(sent: readonly string[]): void {
    for (const { attachment, node } of this.#chips) if (attachment && sent.includes(attachment.id)) node.remove();
    this.#chips = this.#chips.filter(({ node }) => node.isConnected);
    this.#changed();
  }

  async #upload(file: File, chip: Chip): Promise<void> {
    const most = this.#largest(file.type);
    if (file.size > most) return this.#fail(chip, `${file.name} is larger than ${Math.floor(most / MEGABYTE)} MB.`);
    try {
      const attachment = await this.#send(file);
      chip.attachment = attachment;
      chip.node.dataset.state = "ready";
      if (attachment.type === "image" && attachment.preview_url) chip.node.prepend(picture(attachment));
      this.#changed();
    } catch (error) {
      this.#fail(chip, `${file.name}: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #send(file: File): Promise<Attachment> {
    const { api } = this.#page.told.options;
    const strategy = "url" in api ? api.uploadStrategy : undefined;
    if (strategy?.type === "direct") {
      const form = new FormData();
      form.append("file", file);
      const response = await fetch(strategy.uploadUrl, { method: "POST", body: form, credentials: "omit" });
      if (!response.ok) throw new Error(`the upload answered ${response.status}`);
      return (await response.json()) as Attachment;
    }
    const mimeType = file.type || "application/octet-stream";
    const params = { name: file.name, size: file.size, mime_type: mimeType };
    const announced = await ask<Attachment>(this.#page.send, { type: "attachments.create", params });
    const there = announced.upload_descriptor;
    if (!there) throw new Error("the server named no place for the upload");
    const { url, method } = there;
    const headers = { "Content-Type": mimeType, ...there.headers };
    const response = await fetch(url, { method, headers, body: file, credentials: "omit" });
    if (!response.ok) throw new Error(`the upload answered ${response.status}`);
    return announced;
  }

  #largest(type: string): number {
    const limit = this.#page.told.options.composer?.attachments?.maxSize ?? DEFAULT_SIZE;
    if (typeof limit === "number") return limit;
    return limit[type] ?? limit[`${type.split("/")[0]}/*`] ?? limit["*"] ?? limit[""] ?? DEFAULT_SIZE;
  }

  #draw(name: string): Chip {
    const remove = element(
      "button",
      { type: "button", "data-testid": "attachment-remove", "aria-label": `Remove ${name}` },
      "×",
    );
    const node = element(
      "span",
      { class: "chip", "data-testid": "attachment", "data-state": "uploading" },
      name,
      remove,
    );
    const chip: Chip = { node, attachment: null };
    this.#chips = [...this.#chips, chip];
    this.#tray.append(node);
    remove.addEventListener("click", () => this.#remove(chip));
    return chip;
  }

  #fail(chip: Chip, text: string): void {
    chip.node.dataset.state = "failed";
    chip.node.firstChild?.replaceWith(text);
  }

  #remove(chip: Chip): void {
    this.#chips = this.#chips.filter((each) => each !== chip);
    chip.node.remove();
    this.#changed();
    if (!chip.attachment) return;
    const params = { attachment_id: chip.attachment.id };
    ask(this.#page.send, { type: "attachments.delete", params }).catch((error) => this.#page.complain(error));
  }
}

export function picture({ preview_url, name }: Attachment): HTMLElement {
  return element("img", { "data-testid": "picture", src: preview_url ?? "", alt: name });
}
