import { ChatKit, useChatKit } from '@openai/chatkit-react';

const apiUrl = import.meta.env.VITE_API_URL;

export function MyChat() {
  // Utility to get cookie value for CSRF protection
  function getCookie(name: string) {
    const value = `; ${document.cookie}`;
    const parts = value.split(`; ${name}=`);
    if (parts.length === 2) return parts.pop()?.split(';').shift();
  }
  
  const { control } = useChatKit({
    api: {
      async getClientSecret(existing) {
        const csrftoken = getCookie('csrftoken');
        if (existing) {
          // implement session refresh if needed
        }

        const res = await fetch(`${apiUrl}/chatkit/session/`, {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'X-CSRFToken': csrftoken || '',
          },
        });
        const { client_secret } = await res.json();
        return client_secret;
      },
    },
  });

  return <ChatKit control={control} className="min-h-[500px] w-[400px]" />;
}

export default MyChat;
