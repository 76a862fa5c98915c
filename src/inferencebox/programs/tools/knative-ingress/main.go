// Command knative-ingress routes Knative's Ingresses through Istio: for each it keeps a VirtualService at the
// gateway for requests from inside the cluster, and says that the Ingress is ready when that gateway really answers
// by it. Requests from outside have no gateway here; an Ingress that asks for one is told so.
package main

import (
	"context"
	"net/url"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	ingressinformer "knative.dev/networking/pkg/client/injection/informers/networking/v1alpha1/ingress"
	ingressreconciler "knative.dev/networking/pkg/client/injection/reconciler/networking/v1alpha1/ingress"
	"knative.dev/networking/pkg/status"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection/clients/dynamicclient"
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
)

const (
	// The class that Knative's configuration names for Ingresses of this controller.
	class = "inferencebox.ingress.networking.knative.dev"
	// The Service of the gateway for requests from inside the cluster, and its port for probes alone.
	gatewayHost = "knative-local-gateway.istio-system.svc.cluster.local"
	probePort   = "8082"
)

func main() {
	sharedmain.Main("knative-ingress", newController)
}

func newController(ctx context.Context, _ configmap.Watcher) *controller.Impl {
	r := &ingressReconciler{client: dynamicclient.Get(ctx)}
	impl := ingressreconciler.NewImpl(ctx, r, class)
	r.prober = status.NewProber(logging.FromContext(ctx), targets{}, func(ing *v1alpha1.Ingress) {
		impl.EnqueueKey(types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name})
	})
	r.prober.Start(ctx.Done())
	ours := reconciler.AnnotationFilterFunc(ingressreconciler.ClassAnnotationKey, class, false)
	informer := ingressinformer.Get(ctx).Informer()
	informer.AddEventHandler(cache.FilteringResourceEventHandler{
		FilterFunc: ours,
		Handler:    controller.HandleAll(impl.Enqueue),
	})
	informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: r.prober.CancelIngressProbing,
	})
	// What somebody removes or changes comes back.
	routes := dynamicinformer.NewDynamicSharedInformerFactory(r.client, 0).ForResource(virtualServices)
	routes.Informer().AddEventHandler(cache.FilteringResourceEventHandler{
		FilterFunc: controller.FilterController(&v1alpha1.Ingress{}),
		Handler:    controller.HandleAll(impl.EnqueueControllerOf),
	})
	go routes.Informer().Run(ctx.Done())
	return impl
}

// targets is where an Ingress is probed: at the gateway's Service, which outlives the gateway's one pod.
type targets struct{}

func (targets) ListProbeTargets(_ context.Context, ing *v1alpha1.Ingress) ([]status.ProbeTarget, error) {
	found := status.ProbeTarget{PodIPs: sets.New(gatewayHost), PodPort: probePort, Port: probePort}
	for _, rule := range ing.Spec.Rules {
		for _, host := range rule.Hosts {
			found.URLs = append(found.URLs, &url.URL{Scheme: "http", Host: host})
		}
	}
	return []status.ProbeTarget{found}, nil
}
