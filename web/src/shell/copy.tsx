import { CopyOutlined } from '@ant-design/icons'
import { App, Button } from 'antd'
import type { ButtonProps } from 'antd'

import { useShellTexts } from './texts'

/** Copies a text that may leave the console: a reply, a text for a vendor. Never a sensitive value. */
export function CopyButton({ text, children, ...rest }: { text: string } & ButtonProps) {
  const t = useShellTexts()
  const { message } = App.useApp()
  return (
    <Button
      icon={<CopyOutlined />}
      onClick={() => void navigator.clipboard.writeText(text).then(() => message.success(t('copied')))}
      {...rest}
    >
      {children ?? t('copy')}
    </Button>
  )
}
