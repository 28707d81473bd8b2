/** What a visitor reads from the launcher; the panel has words of its own, and inside the chat ChatKit speaks its 63 languages. */
export interface Strings {
  readonly open: string;
  readonly close: string;
  readonly loading: string;
  readonly unavailable: string;
  readonly retry: string;
}

/** open | close | loading | unavailable | retry; one string a language is the shortest to send. */
const ROWS: Readonly<Record<string, string>> = {
  en: "Open chat|Close chat|Opening the chat…|The chat is unavailable|Try again",
  de: "Chat öffnen|Chat schließen|Der Chat wird geöffnet…|Der Chat ist nicht verfügbar|Erneut versuchen",
  fr: "Ouvrir le chat|Fermer le chat|Ouverture du chat…|Le chat est indisponible|Réessayer",
  es: "Abrir el chat|Cerrar el chat|Abriendo el chat…|El chat no está disponible|Reintentar",
  pt: "Abrir o chat|Fechar o chat|Abrindo o chat…|O chat está indisponível|Tentar novamente",
  it: "Apri la chat|Chiudi la chat|Apertura della chat…|La chat non è disponibile|Riprova",
  nl: "Chat openen|Chat sluiten|De chat wordt geopend…|De chat is niet beschikbaar|Opnieuw proberen",
  ja: "チャットを開く|チャットを閉じる|チャットを開いています…|チャットは現在ご利用いただけません|再試行",
  zh: "打开聊天|关闭聊天|正在打开聊天…|聊天暂不可用|重试",
};

export const language = (tag: string | undefined): string => tag?.toLowerCase().split(/[-_]/)[0] ?? "";

/** The row of the first language tag that is spoken here, else English's. */
export function rowFor(rows: Readonly<Record<string, string>>, tags: readonly (string | undefined)[]): string[] {
  return (rows[tags.map(language).find((name) => Object.hasOwn(rows, name)) ?? "en"] as string).split("|");
}

export function stringsFor(tags: readonly (string | undefined)[]): Strings {
  const [open, close, loading, unavailable, retry] = rowFor(ROWS, tags) as [string, string, string, string, string];
  return { open, close, loading, unavailable, retry };
}
