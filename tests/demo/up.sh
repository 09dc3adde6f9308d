#!/usr/bin/env bash
# Install the operator and the demo chat into the cluster that the environment names (see `make env`).
set -euo pipefail
: "${OPERATOR_IMAGE:?run: eval \"\$(make -s env)\"}" "${DEMO_IMAGE:?run: eval \"\$(make -s env)\"}" "${EDGE:?}"

release() { # release NAME CHART NAMESPACE [helm option …]
  local name=$1 chart=$2 namespace=$3
  shift 3
  helm upgrade --install "$name" "charts/$chart" --namespace "$namespace" --create-namespace --wait --timeout 3m \
    "$@" >/dev/null
  echo "==> $chart is installed in namespace $namespace"
}

release chainlit-operator chainlit-operator chainlit-operator-system \
  --set image.repository="${OPERATOR_IMAGE%:*}" --set-string image.tag="${OPERATOR_IMAGE##*:}"
release demo chainlit demo \
  --set image.repository="${DEMO_IMAGE%:*}" --set-string image.tag="${DEMO_IMAGE##*:}" \
  --set fullnameOverride=chat --set operator.enabled=true --set route.path=/chat --set route.controller=traefik \
  --set operator.url="$EDGE/chat/" # the edge's port is one that only this machine knows
kubectl --namespace demo wait --for=condition=Ready --timeout=2m chainlitapp/chat >/dev/null
kubectl --namespace demo get chainlitapp
echo
echo "The chat:  $EDGE/chat/"
