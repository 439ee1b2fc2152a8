import { App, Button } from 'antd'
import { useCallback } from 'react'
import { useNavigate } from 'react-router'

import { asRequest, type Schemas } from '../api/client'
import { listed } from './language'
import { useShellTexts } from './texts'
import { instant } from './times'

/**
 * Tells that a step waits for a second person. The answer is given on if it was carried out instead.
 */
export function useOutcome() {
  const t = useShellTexts()
  const { notification } = App.useApp()
  const navigate = useNavigate()
  return useCallback(
    <T extends object>(answer: T | Schemas['ApprovalView'] | undefined): Exclude<T, Schemas['ApprovalView']> | undefined => {
      const request = asRequest(answer)
      if (!request) return answer as Exclude<T, Schemas['ApprovalView']> | undefined
      notification.info({
        title: t('requested'),
        description: t('requestedText', { what: request.operation_text, who: listed(request.approvers_text), until: instant(request.expires_at) }),
        actions: (
          <Button type="link" onClick={() => void navigate(`/approvals/${request.id}`)}>
            {t('openRequest')}
          </Button>
        ),
        duration: 10,
      })
      return undefined
    },
    [t, notification, navigate],
  )
}
