import { createRoot } from "react-dom/client";
import MyChat from "./MyChat";

createRoot(document.getElementById("root") as HTMLElement).render(<MyChat />);
