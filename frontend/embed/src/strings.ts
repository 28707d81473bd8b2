import type { SupportedLocale } from "@openai/chatkit";

/** What a visitor reads from the script itself; inside the chat ChatKit speaks its own 63 languages. */
export interface Strings {
  readonly open: string;
  readonly close: string;
  readonly loading: string;
  readonly refused: string;
  readonly unavailable: string;
  readonly retry: string;
  readonly contact: string;
  readonly signIn: string;
  readonly signInAgain: string;
  readonly updated: string;
}

/** open | close | loading | refused | unavailable | retry | contact | signIn | signInAgain | updated; one string a language is the shortest to send. */
const ROWS: Readonly<Record<string, string>> = {
  en: "Open chat|Close chat|Opening the chat…|This chat isn’t set up for this page|The chat is unavailable|Try again|Contact us|Please sign in to chat|Please sign in again to chat|The chat was updated. Earlier messages are not carried over.",
  de: "Chat öffnen|Chat schließen|Der Chat wird geöffnet…|Dieser Chat ist für diese Seite nicht eingerichtet|Der Chat ist nicht verfügbar|Erneut versuchen|Kontakt|Bitte melden Sie sich an, um zu chatten|Bitte melden Sie sich erneut an, um zu chatten|Der Chat wurde aktualisiert. Frühere Nachrichten werden nicht übernommen.",
  fr: "Ouvrir le chat|Fermer le chat|Ouverture du chat…|Ce chat n’est pas configuré pour cette page|Le chat est indisponible|Réessayer|Nous contacter|Connectez-vous pour discuter|Reconnectez-vous pour discuter|Le chat a été mis à jour. Les messages précédents ne sont pas repris.",
  es: "Abrir el chat|Cerrar el chat|Abriendo el chat…|Este chat no está configurado para esta página|El chat no está disponible|Reintentar|Contacto|Inicia sesión para chatear|Vuelve a iniciar sesión para chatear|El chat se ha actualizado. Los mensajes anteriores no se conservan.",
  pt: "Abrir o chat|Fechar o chat|Abrindo o chat…|Este chat não está configurado para esta página|O chat está indisponível|Tentar novamente|Fale conosco|Inicie sessão para conversar|Inicie sessão novamente para conversar|O chat foi atualizado. As mensagens anteriores não são mantidas.",
  it: "Apri la chat|Chiudi la chat|Apertura della chat…|Questa chat non è configurata per questa pagina|La chat non è disponibile|Riprova|Contattaci|Accedi per chattare|Accedi di nuovo per chattare|La chat è stata aggiornata. I messaggi precedenti non vengono ripresi.",
  nl: "Chat openen|Chat sluiten|De chat wordt geopend…|Deze chat is niet ingesteld voor deze pagina|De chat is niet beschikbaar|Opnieuw proberen|Contact|Log in om te chatten|Log opnieuw in om te chatten|De chat is bijgewerkt. Eerdere berichten worden niet overgenomen.",
  ja: "チャットを開く|チャットを閉じる|チャットを開いています…|このチャットはこのページ用に設定されていません|チャットは現在ご利用いただけません|再試行|お問い合わせ|ログインしてチャットを開始|もう一度ログインしてください|チャットが更新されました。以前のメッセージは引き継がれません。",
  zh: "打开聊天|关闭聊天|正在打开聊天…|尚未为此页面配置此聊天|聊天暂不可用|重试|联系我们|请登录后聊天|请重新登录后聊天|聊天已更新。之前的消息不会保留。",
};

type Ten = [string, string, string, string, string, string, string, string, string, string];

const language = (tag: string | undefined): string => tag?.toLowerCase().split(/[-_]/)[0] ?? "";

/** The strings of the first language tag that is spoken here, else English. */
export function stringsFor(tags: readonly (string | undefined)[]): Strings {
  const row = ROWS[tags.map(language).find((name) => Object.hasOwn(ROWS, name)) ?? "en"] as string;
  const [open, close, loading, refused, unavailable, retry, contact, signIn, signInAgain, updated] = row.split(
    "|",
  ) as Ten;
  return { open, close, loading, refused, unavailable, retry, contact, signIn, signInAgain, updated };
}

/** The page's language for ChatKit; undefined leaves ChatKit with the browser's, as for a language that isn't spoken here. */
export function chatkitLocale(page: string): SupportedLocale | undefined {
  if (/^zh-(?:hant|tw|hk|mo)/i.test(page)) return "zh-Hant";
  const name = language(page);
  return Object.hasOwn(ROWS, name) ? (name as SupportedLocale) : undefined;
}
