import type { Item, Request } from "../protocol";
import type { Items } from "./items";
import type { Page } from "./page";

/** Runs one of the page's tools; what it answers, or why it failed, goes back to the thread. */
export async function outputOf(call: Item, threadId: string | null, page: Page, items: Items): Promise<Request> {
  items.showTool(call, "running");
  let result: unknown;
  try {
    if (!page.told.pageHasTools) throw new Error("The page has no client tools.");
    result = await page.tool(call.name ?? "", call.arguments ?? {});
    items.showTool(call, "done");
  } catch (error) {
    result = { error: String(error) };
    items.showTool(call, "failed");
  }
  return { type: "threads.add_client_tool_output", params: { thread_id: threadId, result: result ?? {} } };
}
