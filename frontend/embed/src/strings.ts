import type { SupportedLocale } from "@openai/chatkit";

/** What a visitor reads from the script itself; inside the chat ChatKit speaks its own 63 languages. */
export interface Strings {
  readonly open: string;
  readonly close: string;
  readonly loading: string;
  readonly refused: string;
  readonly refusedWhy: string;
  readonly unavailable: string;
  readonly unavailableWhy: string;
  readonly retry: string;
  readonly contact: string;
  readonly reference: string;
}

type Row = readonly [string, string, string, string, string, string, string, string, string, string];

const ROWS: Readonly<Record<string, Row>> = {
  en: [
    "Open chat",
    "Close chat",
    "Opening the chat…",
    "This chat can’t open here",
    "It isn’t set up for this page. For whoever looks after this website:",
    "The chat is unavailable",
    "Please try again in a moment.",
    "Try again",
    "Contact us",
    "Reference",
  ],
  de: [
    "Chat öffnen",
    "Chat schließen",
    "Der Chat wird geöffnet…",
    "Dieser Chat lässt sich hier nicht öffnen",
    "Er ist für diese Seite nicht eingerichtet. Für die Betreuung dieser Website:",
    "Der Chat ist nicht verfügbar",
    "Bitte versuchen Sie es gleich noch einmal.",
    "Erneut versuchen",
    "Kontakt",
    "Referenz",
  ],
  fr: [
    "Ouvrir le chat",
    "Fermer le chat",
    "Ouverture du chat…",
    "Ce chat ne peut pas s’ouvrir ici",
    "Il n’est pas configuré pour cette page. Pour le responsable de ce site :",
    "Le chat est indisponible",
    "Veuillez réessayer dans un instant.",
    "Réessayer",
    "Nous contacter",
    "Référence",
  ],
  es: [
    "Abrir el chat",
    "Cerrar el chat",
    "Abriendo el chat…",
    "Este chat no se puede abrir aquí",
    "No está configurado para esta página. Para quien administra este sitio:",
    "El chat no está disponible",
    "Inténtelo de nuevo en un momento.",
    "Reintentar",
    "Contacto",
    "Referencia",
  ],
  pt: [
    "Abrir o chat",
    "Fechar o chat",
    "Abrindo o chat…",
    "Este chat não pode ser aberto aqui",
    "Ele não está configurado para esta página. Para quem cuida deste site:",
    "O chat está indisponível",
    "Tente novamente em instantes.",
    "Tentar novamente",
    "Fale conosco",
    "Referência",
  ],
  it: [
    "Apri la chat",
    "Chiudi la chat",
    "Apertura della chat…",
    "Questa chat non può aprirsi qui",
    "Non è configurata per questa pagina. Per chi gestisce questo sito:",
    "La chat non è disponibile",
    "Riprova tra un momento.",
    "Riprova",
    "Contattaci",
    "Riferimento",
  ],
  nl: [
    "Chat openen",
    "Chat sluiten",
    "De chat wordt geopend…",
    "Deze chat kan hier niet worden geopend",
    "Hij is niet ingesteld voor deze pagina. Voor de beheerder van deze website:",
    "De chat is niet beschikbaar",
    "Probeer het zo opnieuw.",
    "Opnieuw proberen",
    "Contact",
    "Referentie",
  ],
  ja: [
    "チャットを開く",
    "チャットを閉じる",
    "チャットを開いています…",
    "このページではチャットを開けません",
    "このページ用に設定されていません。サイト管理者の方へ：",
    "チャットは現在ご利用いただけません",
    "しばらくしてからもう一度お試しください。",
    "再試行",
    "お問い合わせ",
    "参照番号",
  ],
  zh: [
    "打开聊天",
    "关闭聊天",
    "正在打开聊天…",
    "无法在此页面打开聊天",
    "尚未为此页面配置聊天。致网站管理员：",
    "聊天暂不可用",
    "请稍后再试。",
    "重试",
    "联系我们",
    "参考编号",
  ],
};

const language = (tag: string | undefined): string => tag?.toLowerCase().split(/[-_]/)[0] ?? "";

/** The strings of the first language tag that is spoken here, else English. */
export function stringsFor(tags: readonly (string | undefined)[]): Strings {
  const row = ROWS[tags.map(language).find((name) => Object.hasOwn(ROWS, name)) ?? "en"] as Row;
  const [open, close, loading, refused, refusedWhy, unavailable, unavailableWhy, retry, contact, reference] = row;
  return { open, close, loading, refused, refusedWhy, unavailable, unavailableWhy, retry, contact, reference };
}

/** The page's language for ChatKit; undefined leaves ChatKit with the browser's, as for a language that isn't spoken here. */
export function chatkitLocale(page: string): SupportedLocale | undefined {
  if (/^zh-(?:hant|tw|hk|mo)/i.test(page)) return "zh-Hant";
  const name = language(page);
  return Object.hasOwn(ROWS, name) ? (name as SupportedLocale) : undefined;
}
