/**
 * The custom mode's frame: everything the visitor sees, on the sandbox's origin.
 *
 * What tests hold on to, by `data-testid`, inside `openai-chatkit iframe`:
 *
 *   composer send stop          the text, the button that sends, the one that cancels (only while the server allows it)
 *   attach attachment           the file input; one chip per file, `data-state` uploading, ready, failed; `attachment-remove`
 *   message                     `data-role` user or assistant, `data-item-id`; inside it `picture`, `file`
 *   feedback-positive feedback-negative    under an assistant's message, when the options ask for them
 *   greeting prompt             the start screen
 *   new-thread history-button history history-item (`data-thread-id`) history-delete history-rename rename-input
 *   error retry notice progress            what went wrong in words, another try, the server's notices
 *   questions question option answer submit-answers skip-answers answered      structured input
 *   widget widget-button        a widget's card and its buttons
 *   tool                        a call of one of the page's tools, `data-state` running, done, failed
 *
 * On the page's element stand `data-thread`, `data-threads` and `data-busy`, as in hosted mode.
 */
import { type FrameOptions, HELLO } from "../framed";
import { Rpc } from "../rpc";
import { FrameChat } from "./chat";

/** Says hello to the page that holds this frame, and starts with the options and the port that come back. */
export function startFrame(): void {
  const connect = ({ data, ports, source }: MessageEvent<FrameOptions>): void => {
    const [port] = ports;
    if (source !== window.parent || !port) return;
    window.removeEventListener("message", connect);
    let chat: FrameChat | null = null;
    const rpc = new Rpc(port, {
      options: (options: FrameOptions) => chat?.apply(options),
      call: ({ method, args }: { method: string; args: unknown[] }) => chat?.call(method, args),
    });
    chat = new FrameChat(document.body, rpc, data);
    void chat.start();
  };
  window.addEventListener("message", connect);
  window.parent.postMessage(HELLO, "*");
}
