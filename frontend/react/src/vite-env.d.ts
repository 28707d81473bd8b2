interface ImportMetaEnv {
  readonly VITE_API_URL?: string;
  readonly VITE_CHATKIT_JS_URL?: string;
}
