import type { SupportedLocale } from "@openai/chatkit";
import { language, rowFor } from "./strings";

/** What a visitor reads from the panel, besides the launcher's own words. */
export interface PanelStrings {
  readonly refused: string;
  readonly contact: string;
  readonly signIn: string;
  readonly signInAgain: string;
  readonly updated: string;
}

/** refused | contact | signIn | signInAgain | updated */
const ROWS: Readonly<Record<string, string>> = {
  en: "This chat isn’t set up for this page|Contact us|Please sign in to chat|Please sign in again to chat|The chat was updated. Earlier messages are not carried over.",
  de: "Dieser Chat ist für diese Seite nicht eingerichtet|Kontakt|Bitte melden Sie sich an, um zu chatten|Bitte melden Sie sich erneut an, um zu chatten|Der Chat wurde aktualisiert. Frühere Nachrichten werden nicht übernommen.",
  fr: "Ce chat n’est pas configuré pour cette page|Nous contacter|Connectez-vous pour discuter|Reconnectez-vous pour discuter|Le chat a été mis à jour. Les messages précédents ne sont pas repris.",
  es: "Este chat no está configurado para esta página|Contacto|Inicia sesión para chatear|Vuelve a iniciar sesión para chatear|El chat se ha actualizado. Los mensajes anteriores no se conservan.",
  pt: "Este chat não está configurado para esta página|Fale conosco|Inicie sessão para conversar|Inicie sessão novamente para conversar|O chat foi atualizado. As mensagens anteriores não são mantidas.",
  it: "Questa chat non è configurata per questa pagina|Contattaci|Accedi per chattare|Accedi di nuovo per chattare|La chat è stata aggiornata. I messaggi precedenti non vengono ripresi.",
  nl: "Deze chat is niet ingesteld voor deze pagina|Contact|Log in om te chatten|Log opnieuw in om te chatten|De chat is bijgewerkt. Eerdere berichten worden niet overgenomen.",
  ja: "このチャットはこのページ用に設定されていません|お問い合わせ|ログインしてチャットを開始|もう一度ログインしてください|チャットが更新されました。以前のメッセージは引き継がれません。",
  zh: "尚未为此页面配置此聊天|联系我们|请登录后聊天|请重新登录后聊天|聊天已更新。之前的消息不会保留。",
};

export function panelStringsFor(tags: readonly (string | undefined)[]): PanelStrings {
  const [refused, contact, signIn, signInAgain, updated] = rowFor(ROWS, tags) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { refused, contact, signIn, signInAgain, updated };
}

/** The page's language for ChatKit; undefined leaves ChatKit with the browser's, as for a language that isn't spoken here. */
export function chatkitLocale(page: string): SupportedLocale | undefined {
  if (/^zh-(?:hant|tw|hk|mo)/i.test(page)) return "zh-Hant";
  const name = language(page);
  return Object.hasOwn(ROWS, name) ? (name as SupportedLocale) : undefined;
}
